"""Items of a catalogue (GB/T 28181-2016 annex O, -2022 annex J): every field of either version."""

from __future__ import annotations

from safecity.protocols.gb28181.elements import Part


class ItemInfo(Part, frozen=True, kw_only=True, omit_defaults=True):
    """`Info` of an item. PTZType: 1 dome, 2 half-dome, 3 fixed, 4 remote box, [2022] 5 remote half-dome,
    6 panoramic, 7 split channel."""

    ptz_type: int | None = None
    photoelectric_imaging_type: str | None = None
    capture_position_type: str | None = None
    position_type: str | None = None
    room_type: str | None = None
    use_type: str | None = None
    supply_light_type: str | None = None
    direction_type: str | None = None
    resolution: str | None = None
    stream_number_list: str | None = None
    business_group_id: str | None = None
    download_speed: str | None = None
    svc_space_support_mode: str | None = None
    svc_time_support_mode: str | None = None
    ssvc_ratio_support_list: str | None = None
    mobile_device_type: str | None = None
    horizontal_field_angle: float | None = None
    vertical_field_angle: float | None = None
    max_view_distance: float | None = None
    grassroots_code: str | None = None
    point_type: str | None = None
    point_common_name: str | None = None
    mac: str | None = None
    function_type: str | None = None
    encode_type: str | None = None
    install_time: str | None = None
    management_unit: str | None = None
    contact_info: str | None = None
    record_save_days: int | None = None
    industrial_classification: str | None = None


class CatalogItem(Part, frozen=True, kw_only=True, omit_defaults=True):
    """One node. Only the code is sure to be there; area nodes have a name beside it and nothing else.

    Event (in notices): ON, OFF, VLOST, DEFECT, ADD, DEL, UPDATE. Status: ON or OFF. Longitude and latitude are
    WGS-84 degrees. Owner to EndTime are of 2011 and 2016; SecurityLevelCode is of 2022.
    """

    device_id: str = ""
    event: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    owner: str | None = None
    civil_code: str | None = None
    block: str | None = None
    address: str | None = None
    parental: int | None = None
    parent_id: str | None = None
    safety_way: int | None = None
    register_way: int | None = None
    cert_num: str | None = None
    certifiable: int | None = None
    err_code: int | None = None
    end_time: str | None = None
    security_level_code: str | None = None
    secrecy: int | None = None
    ip_address: str | None = None
    port: int | None = None
    password: str | None = None
    status: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    business_group_id: str | None = None
    info: ItemInfo | None = None
    # Some devices write these beside `Info` instead of inside it.
    ptz_type: int | None = None
    stream_number_list: str | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        """`ParentID` may hold several codes joined by `/`."""
        return tuple(part.strip() for part in (self.parent_id or "").split("/") if part.strip())

    @property
    def is_on(self) -> bool:
        """What the item says of itself; devices that say nothing are taken to be on."""
        return (self.status or "ON").strip().upper() in ("ON", "OK", "ONLINE", "1")

    @property
    def steering(self) -> int:
        """PTZType wherever it stands, 0 where it does not."""
        return (self.info.ptz_type if self.info else None) or self.ptz_type or 0
