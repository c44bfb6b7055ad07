"""The pure decisions: presence, limits, collection, numbers, times, registrations. A fake clock, no sockets."""

from __future__ import annotations

import pytest

from safecity.kit.errors import ExhaustedError, InvalidError
from safecity.kit.retry import Backoff
from safecity.protocols.gb28181.codes import GbCode, NodeKind, is_video_channel, make_code, node_kind, type_name
from safecity.protocols.gb28181.collector import Collected
from safecity.protocols.gb28181.invite import Agreed, Declined, Wish, judge, offer, subject, trusted_host
from safecity.protocols.gb28181.limits import Bans, Buckets
from safecity.protocols.gb28181.mansrtsp import Answer, Pause, Play, Teardown, read_mansrtsp, write_mansrtsp
from safecity.protocols.gb28181.presence import Presence, PresenceState
from safecity.protocols.gb28181.registrar import Member, Policy, Registrar, Ruling, Source, Verdict
from safecity.protocols.gb28181.session import GbSession, Purpose, read_session, write_session
from safecity.protocols.gb28181.ssrc import HISTORY, LIVE, PER_KIND, SsrcPool
from safecity.protocols.gb28181.subscription import Subscription, Topic
from safecity.protocols.gb28181.times import date_text, local_text, parse_local
from safecity.protocols.sip.digest import Nonces, answer_challenge, parse_challenge
from safecity.protocols.sip.message import Request, Response

CODE = "34020000001180000001"
PLATFORM = "34020000002000000001"
HERE = Source("udp", "192.0.2.1", 5060)


# --- codes, times, numbers --------------------------------------------------------------------------------------


def test_a_code_says_what_it_is() -> None:
    code = GbCode("34020000001320000001")
    assert (code.centre, code.industry, code.type, code.type_name) == ("34020000", 0, 132, "ip_camera")
    assert make_code("3402", 0, 200, 1).value == "34020000002000000001"
    assert type_name(119) == "main_device"
    with pytest.raises(ValueError, match="not a 20-digit"):
        GbCode("３４０２００００００１３２０００００１")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("34", NodeKind.AREA),
        ("340200", NodeKind.AREA),
        ("34020000002000000001", NodeKind.SYSTEM),
        ("34020000002150000001", NodeKind.BUSINESS_GROUP),
        ("34020000002160000001", NodeKind.VIRTUAL_ORGANISATION),
        ("34020000001310000001", NodeKind.DEVICE),
        ("camera-1", NodeKind.DEVICE),
    ],
)
def test_nodes_are_told_apart_by_their_code(code: str, kind: NodeKind) -> None:
    assert node_kind(code) is kind


@pytest.mark.parametrize(
    ("code", "video"),
    [
        ("34020000001310000001", True),
        ("34020000001320000001", True),
        ("34020000001340000001", False),
        ("34020000001370000001", False),
        ("34020000002160000001", False),
        ("odd", True),
    ],
)
def test_only_what_can_show_pictures_is_a_video_channel(code: str, video: bool) -> None:
    assert is_video_channel(code) is video


def test_times_are_local_to_china_whatever_the_machine() -> None:
    us = 1_767_294_245_678_000  # 2026-01-01T19:04:05.678Z
    assert local_text(us) == "2026-01-02T03:04:05"
    assert date_text(us) == "2026-01-02T03:04:05.678"
    assert parse_local("2026-01-02T03:04:05.678") == us
    assert parse_local(" 2026-1-2 3:04:05 ") == us - 678_000
    assert parse_local("2026-01-01T19:04:05Z") == us - 678_000
    assert parse_local("20260102T030405") == us - 678_000
    for bad in ("", None, "yesterday", "2026-13-01T00:00:00", "2026-01-02"):
        assert parse_local(bad) is None


def test_an_ssrc_tells_kind_and_domain_and_is_not_reused_at_once() -> None:
    pool = SsrcPool("34020000002000000001")
    first = pool.take(LIVE)
    assert f"{first:010d}" == "0200000000"
    assert f"{pool.take(HISTORY):010d}".startswith("1200000")
    pool.give_back(first)
    assert pool.take(LIVE) == first + 1


def test_all_numbers_in_use_is_said_and_one_given_back_helps() -> None:
    pool = SsrcPool("3402000000")
    numbers = [pool.take(LIVE) for _ in range(PER_KIND)]
    assert len(set(numbers)) == PER_KIND
    with pytest.raises(ExhaustedError, match="in use"):
        pool.take(LIVE)
    pool.give_back(77)  # not of ours: ignored
    with pytest.raises(ExhaustedError):
        pool.take(LIVE)
    pool.give_back(numbers[5])
    assert pool.take(LIVE) == numbers[5]


# --- presence, limits, collection -------------------------------------------------------------------------------


def test_presence_lives_a_day_in_a_millisecond() -> None:
    presence = Presence(patience=180.0)
    assert presence.registered(0.0, 86_400.0)
    for now in range(60, 3600, 60):
        assert not presence.heard(float(now))
        assert not presence.expire(float(now))
    assert not presence.expire(3540.0 + 179.0)
    assert presence.expire(3540.0 + 180.0)
    assert presence.state is PresenceState.OFFLINE
    assert presence.heard(4000.0)
    assert not presence.registered(86_000.0, 600.0)
    presence.heard(86_500.0)
    assert presence.expire(86_600.0)  # the registration ended, keepalives or not
    assert not presence.heard(86_601.0)
    assert presence.state is PresenceState.OFFLINE


def test_a_bucket_empties_and_fills() -> None:
    buckets = Buckets(rate=10.0, burst=20.0, max_keys=2)
    assert [buckets.take("a", 0.0) for _ in range(21)] == [True] * 20 + [False]
    assert buckets.take("b", 0.0)
    assert buckets.take("a", 0.11)
    assert not buckets.take("a", 0.11)


def test_a_ban_ends_by_itself_and_success_forgives() -> None:
    bans = Bans(failures=3, window=60.0, seconds=30.0)
    assert [bans.failed("x", at) for at in (0.0, 1.0, 2.0)] == [False, False, True]
    assert bans.is_banned("x", 3.0)
    assert not bans.is_banned("x", 33.0)
    assert not bans.failed("y", 0.0)
    bans.succeeded("y")
    assert not bans.failed("y", 1.0)
    assert not bans.failed("y", 2.0)


def test_back_off_grows_to_its_limit_and_is_reset_by_progress() -> None:
    backoff = Backoff(1.0, 60.0)
    assert [backoff.failed(1.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff.failed(0.0) == 30.0
    backoff.succeeded()
    assert backoff.failed(1.0) == 1.0


def test_parts_are_gathered_doubles_dropped_and_k_of_n_said() -> None:
    collected: Collected[str] = Collected(lambda item: item, deadline=10.0, idle_seconds=8.0)
    collected.add(1.0, 5, ["a", "b"])
    collected.add(2.0, 5, ["a", "b"])  # sent twice
    collected.add(3.0, 5, ["c"])
    assert not collected.complete
    assert not collected.expired(10.9)
    assert collected.expired(11.0)
    assert (len(collected.items), collected.total) == (3, 5)
    collected.add(4.0, 5, ["d", "e"])
    assert collected.complete


def test_an_empty_catalogue_is_complete() -> None:
    collected: Collected[str] = Collected(lambda item: item, deadline=10.0)
    collected.add(1.0, 0, [])
    assert collected.complete


def test_a_subscription_is_refreshed_in_time_and_a_hopeless_one_left() -> None:
    subscription = Subscription(Topic.CATALOG)
    assert subscription.due(0.0)
    subscription.asked()
    assert not subscription.due(0.0)
    subscription.accepted(0.0, 3600)
    assert not subscription.due(2000.0)
    assert subscription.due(3599.0)
    subscription.asked()
    subscription.failed(3600.0, 0, 1.0)
    assert subscription.due(3630.0)
    subscription.failed(3630.0, 489, 1.0)
    assert not subscription.due(3630.0 + 80_000)
    subscription.restart(4000.0)
    assert subscription.due(4000.0)


# --- history control --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("PLAY RTSP/1.0\r\nCSeq: 2\r\nRange: npt=now-\r\n\r\n", Play(2)),
        ("PAUSE RTSP/1.0\r\nCSeq: 3\r\nPauseTime: now\r\n\r\n", Pause(3)),
        ("PLAY RTSP/1.0\r\nCSeq: 4\r\nScale: 2.0\r\n\r\n", Play(4, scale=2.0)),
        ("PLAY RTSP/1.0\r\nCSeq: 4\r\nScale: 0.25\r\n\r\n", Play(4, scale=0.25)),
        ("PLAY RTSP/1.0\r\nCSeq: 5\r\nRange: npt=100-\r\n\r\n", Play(5, start=100.0)),
        ("PLAY RTSP/1.0\r\nCSeq: 5\r\nRange: npt=600-120\r\n\r\n", Play(5, start=600.0, end=120.0)),
        ("TEARDOWN RTSP/1.0\r\nCSeq: 6\r\n\r\n", Teardown(6)),
        ("RTSP/1.0 200 OK\r\nCSeq: 6\r\nRTP-Info: seq=7;rtptime=8\r\n\r\n", Answer(200, 6, "OK", 7, 8)),
    ],
)
def test_history_control_is_read_and_written_back(text: str, act: object) -> None:
    assert read_mansrtsp(text.encode()) == act
    assert write_mansrtsp(act) == text.encode()  # type: ignore[arg-type]
    assert read_mansrtsp(text.replace("RTSP/", "MANSRTSP/").replace("\r\n", "\n").encode()) == act


@pytest.mark.parametrize("data", [b"", b"GARBAGE", b"\xff" * 50, b"PLAY HTTP/1.0\r\n", b"x" * 5000])
def test_what_is_no_history_control_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError):
        read_mansrtsp(data)


# --- SDP and INVITE ---------------------------------------------------------------------------------------------

WISH = Wish(platform=PLATFORM, channel=CODE, host="192.0.2.9", port=10_000, ssrc=200000123)


def test_an_offer_is_written_as_the_standard_has_it() -> None:
    assert write_session(offer(WISH)).decode() == (
        "v=0\r\no=34020000002000000001 0 0 IN IP4 192.0.2.9\r\ns=Play\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
        "m=video 10000 RTP/AVP 96 98 97 100\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\na=rtpmap:98 H264/90000\r\n"
        "a=rtpmap:97 MPEG4/90000\r\na=rtpmap:100 H265/90000\r\ny=0200000123\r\n"
    )
    assert subject(WISH) == f"{CODE}:0200000000,{PLATFORM}:0"


def test_an_offer_of_history_names_its_window() -> None:
    wish = Wish(
        platform=PLATFORM, channel=CODE, host="192.0.2.9", port=1, ssrc=1200000001, transport="tcp_active",
        purpose=Purpose.DOWNLOAD, start=1_767_225_600, end=1_767_229_200, download_speed=4,
    )  # fmt: skip
    text = write_session(offer(wish)).decode()
    for line in (f"u={CODE}:0", "t=1767225600 1767229200", "a=setup:active", "a=downloadspeed:4", "s=Download"):
        assert f"{line}\r\n" in text
    assert "TCP/RTP/AVP" in text
    assert subject(wish).startswith(f"{CODE}:1200000001,")
    assert read_session(text.encode()) == offer(wish)


@pytest.mark.parametrize(
    ("maker", "line"),
    [
        ("Hikvision", "a=stream:1"),
        ("Dahua Tech", "a=streamprofile:1"),
        ("TP-LINK", "a=streamMode:sub"),
        ("", "a=stream:1"),
    ],
)
def test_the_sub_stream_is_named_in_the_makers_way(maker: str, line: str) -> None:
    wish = Wish(platform=PLATFORM, channel=CODE, host="h", port=1, ssrc=1, sub=True, manufacturer=maker)
    text = write_session(offer(wish)).decode()
    assert f"{line}\r\n" in text
    assert "a=streamnumber:1\r\n" in text
    assert read_session(text.encode()).stream_number == 1


def test_a_messy_sdp_is_read() -> None:
    session = read_session(
        b"s=playback\nm=audio 6000 RTP/AVP 8\nm=video 6002/2 TCP/RTP/AVP 96 96x 98\nc=IN IP4 10.0.0.1/127\n"
        b"t=3976214400 3976218000\na=SENDONLY\na= setup : active \ny= 0100000001 \nb=AS:1\nzz\n=\n"
    )
    assert (session.media, session.port, session.tcp, session.host) == ("video", 6002, True, "10.0.0.1")
    assert (session.start, session.end) == (1_767_225_600, 1_767_229_200)  # counted from 1900
    assert (session.purpose, session.setup, session.ssrc) == (Purpose.PLAYBACK, "active", 100000001)


def test_a_line_break_cannot_be_smuggled_into_an_sdp() -> None:
    with pytest.raises(ValueError, match="line break"):
        write_session(GbSession(owner="x\r\nm=video 1", purpose=Purpose.PLAY, host="h", port=1))


def answer(status: int, body: bytes = b"") -> Response:
    return Response(status, "Reason", [], body)


def test_the_answer_to_an_invite_is_judged() -> None:
    good = write_session(GbSession(owner=CODE, purpose=Purpose.PLAY, host="192.0.2.1", port=9000, ssrc=5))
    assert judge(WISH, answer(200, good), "192.0.2.1") == Agreed(5, "192.0.2.1", 9000)
    assert judge(WISH, answer(200), "192.0.2.1") == Agreed(WISH.ssrc, "192.0.2.1", 0)
    busy = judge(WISH, answer(486), "192.0.2.1")
    assert isinstance(busy, Declined)
    assert busy.busy
    for status, code in ((408, "gb_no_sip_answer"), (404, "gb_refused"), (302, "gb_refused")):
        declined = judge(WISH, answer(status), "192.0.2.1")
        assert isinstance(declined, Declined)
        assert declined.code == code
    bad = judge(WISH, answer(200, b"\x00nonsense"), "192.0.2.1")
    assert isinstance(bad, Declined)
    assert bad.code == "gb_bad_sdp"


@pytest.mark.parametrize(
    ("claimed", "seen", "trusted"),
    [
        ("10.1.1.1", "10.1.1.2", "10.1.1.1"),
        ("192.168.1.64", "8.8.8.8", "8.8.8.8"),  # behind NAT
        ("127.0.0.1", "10.1.1.2", "10.1.1.2"),
        ("0.0.0.0", "10.1.1.2", "10.1.1.2"),
        ("224.0.0.1", "10.1.1.2", "10.1.1.2"),
        ("169.254.169.254", "10.1.1.2", "10.1.1.2"),
        ("camera.local", "10.1.1.2", "10.1.1.2"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_an_sdp_cannot_point_us_anywhere(claimed: str, seen: str, trusted: str) -> None:
    assert trusted_host(claimed, seen) == trusted


# --- registrar --------------------------------------------------------------------------------------------------


class Desk:
    """A registrar and a device that knows (or guesses) a password."""

    def __init__(self, **policy: object) -> None:
        self.registrar = Registrar(Policy(realm="3402000000", **policy), Nonces(b"k" * 32))  # type: ignore[arg-type]
        self.member: Member | None = Member(CODE, "right")
        self.now = 0.0

    def request(self, extra: list[tuple[str, str]], call_id: str = "c1") -> Request:
        fields = [
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"),
            ("From", f"<sip:{CODE}@3402000000>;tag=1"),
            ("To", f"<sip:{CODE}@3402000000>"),
            ("Call-ID", call_id),
            ("CSeq", "1 REGISTER"),
            ("Contact", f"<sip:{CODE}@192.0.2.1:5060>"),
        ]
        return Request("REGISTER", f"sip:{PLATFORM}@3402000000", [*fields, *extra])

    def rule(self, request: Request, source: Source = HERE, bound: str = "") -> Ruling:
        self.now += 0.1
        return self.registrar.rule(
            request, source, self.member, now=self.now, now_us=0, salt=b"12345678", bound_host=bound
        )

    def register(
        self, password: str = "right", expires: str = "3600", source: Source = HERE, bound: str = "", user: str = CODE
    ) -> Ruling:
        ruling = self.rule(self.request([("Expires", expires)]), source, bound)
        if ruling.status != 401:
            return ruling
        challenge = parse_challenge(dict(ruling.fields)["WWW-Authenticate"])
        credentials = answer_challenge(challenge, user, password, "REGISTER", "sip:x", cnonce="n")
        return self.rule(self.request([("Expires", expires), ("Authorization", str(credentials))]), source, bound)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SM3"])
@pytest.mark.parametrize("qop", ["", "auth"])
def test_a_good_registration(algorithm: str, qop: str) -> None:
    ruling = Desk(algorithms=(algorithm,), qop=qop).register()
    assert (ruling.verdict, ruling.status, ruling.expires) == (Verdict.ACCEPTED, 200, 3600)
    fields = dict(ruling.fields)
    assert fields["Date"] == "1970-01-01T08:00:00.000"
    assert fields["X-GB-Ver"] == "3.0"
    assert fields["Expires"] == "3600"


def test_a_login_name_that_is_not_the_code() -> None:
    desk = Desk()
    assert desk.register(user="admin").status == 200
    assert desk.register(user="admin", password="wrong").status == 403
    desk.member = Member(CODE, "right", username="gate")
    assert desk.register(user="admin").status == 403
    assert desk.register(user="gate").status == 200
    assert desk.register(user=CODE).status == 200


def challenged(ruling: Ruling) -> list[str]:
    return [parse_challenge(value).algorithm for name, value in ruling.fields if name == "WWW-Authenticate"]


def test_several_digests_are_offered_in_the_order_that_was_set() -> None:
    desk = Desk(algorithms=("MD5", "SM3"))
    assert challenged(desk.rule(desk.request([]))) == ["MD5", "SM3"]
    desk.member = Member(CODE, "right", algorithms=("SM3", "SHA-256"))
    ruling = desk.rule(desk.request([]))
    assert challenged(ruling) == ["SM3", "SHA-256"]
    offers = [value for name, value in ruling.fields if name == "WWW-Authenticate"]
    for taken, status in ((offers[1], 200), (offers[0].replace("SM3", "MD5"), 403)):
        answer = answer_challenge(parse_challenge(taken), CODE, "right", "REGISTER", "sip:x")
        assert desk.rule(desk.request([("Authorization", str(answer))])).status == status


def test_the_date_can_be_left_out() -> None:
    assert "Date" not in dict(Desk(send_date=False).register().fields)


@pytest.mark.parametrize(
    ("member", "refusal"),
    [
        (None, "gb_unknown_device"),
        (Member(CODE, "other"), "gb_wrong_password"),
        (Member(CODE, ""), "gb_no_password"),
        (Member(CODE, "right", enabled=False), "gb_disabled"),
    ],
)
def test_all_refusals_look_the_same_from_outside(member: Member | None, refusal: str) -> None:
    desk = Desk()
    desk.member = member
    ruling = desk.register()
    assert (ruling.verdict, ruling.status, ruling.fields) == (Verdict.REFUSED, 403, ())
    assert ruling.refusal == refusal


def test_a_recorded_answer_is_of_no_use() -> None:
    desk = Desk()
    first = desk.rule(desk.request([]))
    challenge = parse_challenge(dict(first.fields)["WWW-Authenticate"])
    credentials = answer_challenge(challenge, CODE, "right", "REGISTER", "sip:x")
    good = desk.request([("Authorization", str(credentials))])
    assert desk.rule(good).status == 200
    again = desk.rule(good)
    assert again.status == 401
    assert parse_challenge(dict(again.fields)["WWW-Authenticate"]).stale
    elsewhere = desk.rule(desk.request([("Authorization", str(credentials))], call_id="c2"))
    assert elsewhere.status == 401


def test_an_old_nonce_is_stale_and_not_a_wrong_password() -> None:
    desk = Desk()
    challenge = parse_challenge(dict(desk.rule(desk.request([])).fields)["WWW-Authenticate"])
    credentials = answer_challenge(challenge, CODE, "right", "REGISTER", "sip:x")
    desk.now += 3600
    ruling = desk.rule(desk.request([("Authorization", str(credentials))]))
    assert ruling.verdict is Verdict.CHALLENGED


def test_expiry_is_bounded_both_ways() -> None:
    desk = Desk()
    short = desk.register(expires="5")
    assert (short.status, dict(short.fields)["Min-Expires"]) == (423, "30")
    assert desk.register(expires="99999999").expires == 604_800
    assert desk.register(expires="").expires == 86_400
    assert desk.register(expires="0").verdict is Verdict.LEFT


def test_a_device_can_be_sent_elsewhere() -> None:
    desk = Desk()
    desk.member = Member(CODE, "right", redirect="sip:34020000002000000002@192.0.2.7:5060")
    ruling = desk.register()
    assert ruling.status == 302
    assert dict(ruling.fields)["Contact"] == "<sip:34020000002000000002@192.0.2.7:5060>"


def test_who_fails_too_often_is_not_answered_and_the_neighbour_is() -> None:
    desk = Desk()
    for _ in range(10):
        assert desk.register(password="guess").status == 403
    assert desk.register().verdict is Verdict.SILENT
    assert desk.register(source=Source("udp", "192.0.2.2", 5060)).status == 200
    desk.now += 61
    assert desk.register().status == 200


def test_a_walk_over_unknown_codes_is_cut_off() -> None:
    desk = Desk()
    desk.member = None
    for _ in range(150):
        desk.now -= 0.1  # all at once
        last = desk.rule(desk.request([])).verdict
    assert last is Verdict.SILENT
    desk.member = Member(CODE, "right")
    assert desk.rule(desk.request([])).verdict is Verdict.CHALLENGED  # a known device is still heard


def test_a_challenge_to_a_stranger_is_small() -> None:
    desk = Desk()
    request = desk.request([("Expires", "3600"), ("User-Agent", "x")])
    ruling = desk.rule(request)
    size = len(request.respond(401, tag="0123456789abcdef", fields=ruling.fields).encode())
    assert size <= 1.5 * len(request.encode())


@pytest.mark.parametrize("text", ["", "Digest", "Basic abc", 'Digest username="', "Digest " + "a=1," * 200])
def test_a_malformed_authorization_is_challenged_again(text: str) -> None:
    desk = Desk()
    assert desk.rule(desk.request([("Authorization", text)])).verdict is Verdict.CHALLENGED
