"""Words about roads, routes and closures. (Chinese, English)."""

TRAFFIC: dict[str, tuple[str, str]] = {
    "traffic_off": (
        "路网功能已关闭（设置 roads.enabled）。",
        "Traffic is switched off here (setting roads.enabled).",
    ),
    "traffic_no_network": (
        "还没有路网。请用 safecity roads import 导入一个。",
        "There is no road network yet. Bring one in with `safecity roads import`.",
    ),
    "traffic_not_installed": (
        "本机未安装路网组件，请安装 safecity[roads]。",
        "What computes with road networks is not installed here; install safecity[roads].",
    ),
    "traffic_network_damaged": (
        "路网文件无法读取，请重新导入。",
        "The road network cannot be read; bring it in again.",
    ),
    "traffic_no_storage": (
        "交通数据无法打开，请检查磁盘；平台会自动重试。",
        "The data about traffic cannot be opened; look at the disk. It is tried again.",
    ),
    "traffic_loading": (
        "路网正在载入，请稍候。",
        "The road network is being loaded; wait a moment.",
    ),
    "no_road_near": (
        "{field} 周围 {metres} 米内没有道路。",
        "There is no road within {metres} m of {field}.",
    ),
    "only_islands_near": (
        "{field} 附近的道路与路网不连通。",
        "The roads near {field} lead nowhere: they are not joined to the others.",
    ),
    "no_route": ("两地之间没有可通行的路线。", "No way leads from the one place to the other."),
    "route_closed": (
        "封闭路段使两地之间没有可通行的路线。",
        "Closed roads leave no way from the one place to the other.",
    ),
    "route_island": (
        "起点或终点所在的道路与路网不连通。",
        "The road at the start or at the end leads nowhere: it is not joined to the others.",
    ),
    "no_place": ("不是路网上的位置。", "Not a place on the roads."),
    "place_invalid": (
        "{field} 不是有效的经纬度。",
        "{field} is no longitude and latitude.",
    ),
    "route_depart": ("出发时间最多可提前 {days} 天。", "A way can be planned at most {days} days ahead."),
    "travel_section_invalid": ("行程时间路段的 {field} 取值无效。", "Not a value for {field} of a measured section."),
    "incident_state": (
        "事件已是“{state}”状态，不能再这样处理。",
        "The incident is {state}; that can no longer be said of it.",
    ),
    "count_period": (
        "统计时段应为 {shortest} 至 {longest} 的整秒数（秒）。",
        "A time that is counted lasts {shortest} to {longest} seconds, whole ones.",
    ),
    "count_future": (
        "统计时段尚未结束（来源时钟最多可快 {seconds} 秒）。",
        "The time that was counted has not ended yet; a clock may be {seconds} s ahead.",
    ),
    "count_too_old": ("统计数据超过 {days} 天，不再接收。", "Counts are taken for {days} days, no later."),
    "count_flow": (
        "车辆数超过 {lanes} 条车道的通行上限（该时段最多 {most} 辆）。",
        "More vehicles than {lanes} lanes can carry: at most {most} in that time.",
    ),
    "count_places": (
        "该用户自报的流量点已达 {limit} 个,请先删除不用的。",
        "This user has named {limit} places; delete those that are not used.",
    ),
    "count_kinds": ("各车型之和大于总数。", "There are more vehicles by kinds than together."),
    "count_speed": (
        "平均速度不合理：应为 {least} 至 {most} 公里/小时，且有车辆通过。",
        "Not a mean speed: {least} to {most} km/h, and of somebody.",
    ),
    "count_overlaps": (
        "该时段与同一来源在此处已报的时段重叠。",
        "This source has told of another time here that overlaps this one.",
    ),
    "count_lane": ("该卡口没有 {lane} 号车道。", "The checkpoint has no lane {lane}."),
    "closure_invalid": ("封闭路段的 {field} 取值无效。", "Not a value for {field} of a closure."),
    "outline_rings": (
        "边界须为 1 至 {limit} 个环组成的 GeoJSON 多边形。",
        "A border is a polygon of GeoJSON with 1 to {limit} rings.",
    ),
    "outline_points": ("边界点数超过 {limit}。", "The border has more than {limit} points; simplify it."),
    "outline_open": (
        "边界的每个环至少 4 个点,且首尾相同。",
        "Each ring of a border has at least 4 points, and the last is the first.",
    ),
    "outline_flat": ("边界的环没有面积。", "A ring of the border encloses nothing."),
    "outline_place": ("边界中有不在地图上的点。", "A point of the border is nowhere on the map."),
    "toll_invalid": ("道路收费的 {field} 取值无效。", "Not a value for {field} of a toll."),
    "toll_places": (
        "收费须有收费控制点或一条边界,二者取一。",
        "A toll has either gantries or a border.",
    ),
    "toll_overlap": (
        "{since} 至 {until} 的价格与另一条价格重叠。",
        "The price from {since} to {until} overlaps another for the same vehicles and days.",
    ),
    "toll_currency": (
        "已有以 {old} 计价的道路收费,{new} 的最小货币单位不同,改动会使每个价格变成另一个价格。请先删除这些收费。",
        "There are tolls in {old}, and {new} divides otherwise: prices would be others. Remove the tolls first.",
    ),
    "tow_invalid": ("拖车的 {field} 取值无效。", "Not a value for {field} of a tow."),
    "tow_state": (
        "该拖车当前状态为 {state},不能改为 {wanted}。",
        "This tow is {state}, and cannot become {wanted}.",
    ),
    "road_tolls": ("道路收费数据无效。", "What roads cost was not said in a way that can be counted."),
    "roads_version": ("没有路网 {version}。", "There is no road network {version}."),
    "roads_file": ("路网文件无法读取：{why}。", "The road network cannot be read: {why}."),
    "vehicle_memory": ("保存的匹配状态无法读取。", "What was remembered of a vehicle cannot be read."),
    "matching_vehicles": ("车辆过多。", "Too many vehicles."),
}
