"""Words about networks, readings and flows. (Chinese, English)."""

ANALYSIS: dict[str, tuple[str, str]] = {
    "reading_refused": (
        "该卡口不存在或已停用,识别结果不予登记。",
        "There is no such checkpoint, or it is switched off: the reading is not filed.",
    ),
    "detector_description": (
        "检测器说明 detector.json 有误。",
        "The description of the detector, detector.json, is wrong.",
    ),
    "detector_input": ("该网络的输入不是一幅图像。", "The network does not take one picture."),
    "detector_layout": (
        "该网络的输出不是所说的检测器格式。",
        "The network's outputs are not those of the detector it is said to be.",
    ),
    "vision_off": (
        "本平台未启用视频分析,无法检索画面变化。",
        "Analysis is switched off on this platform ([vision] slots = 0), so recordings cannot be searched.",
    ),
    "vision_not_installed": (
        "未安装视频分析组件,请安装 safecity[vision]。",
        "Analysis is not installed: install the extra safecity[vision].",
    ),
    "decoder_missing": (
        "未安装解码器,请安装 safecity[av]。",
        "No decoder is installed: install the extra safecity[av].",
    ),
    "asker_left": ("请求方已断开,操作已停止。", "Whoever asked has left, so it was stopped."),
    "movement_busy": (
        "检索任务过多,请 {seconds} 秒后重试。",
        "Too many searches at once; try again in {seconds} s.",
    ),
    "region_invalid": (
        "检索区域无效:请画 1 至 {limit} 个矩形。",
        "The searched part makes no sense: draw one to {limit} rectangles.",
    ),
    "model_missing": ("缺少网络文件 {file}。", "The network file {file} is missing."),
    "model_unreadable": ("该文件不是可用的网络。", "The file is no network that can be used."),
    "model_type": ("网络的数值类型不受支持。", "The network takes or gives numbers of a kind that is not supported."),
    "tensor_input": ("网络无法处理该输入。", "The network does not take this input."),
    "setting_range": ("设置 {setting} 超出允许范围。", "The setting {setting} is out of its range."),
    "state_newer": (
        "流计算的状态由更新的版本写入,本版本无法读取。",
        "The state of the flow was written by a newer version than this one.",
    ),
    "state_unreadable": ("流计算的状态无法读取。", "The state of the flow cannot be read."),
    "state_too_large": ("流计算的状态过大。", "The state of the flow is too large."),
    "flow_moved": ("该流计算已由其他进程接管。", "Another process has taken over the flow."),
}
