"""Words about cases and packages. (Chinese, English)."""

CASES: dict[str, tuple[str, str]] = {
    "case_invalid": ("案件的 {field} 取值无效。", "Not a value for {field} of a case."),
    "case_state": ("案件当前状态为 {state},不能这样处理。", "The case is {state}; it cannot become that."),
    "case_closed": (
        "案件 {number} 已结案,不能再添加或移除内容。",
        "The case {number} is closed; nothing is put into it or taken out of it.",
    ),
    "case_open": (
        "案件 {number} 尚未结案,请先结案再删除。",
        "The case {number} is open; close it before you delete it.",
    ),
    "case_reader": ("您只能查看此案件。", "You may read this case, not write it."),
    "case_full": ("案件条目已达上限({limit})。", "The case is full ({limit} entries)."),
    "case_too_much": (
        "一次选中的图片过多(超过 {limit_mib} MiB),请少选一些。",
        "Too many pictures at once (more than {limit_mib} MiB); choose fewer.",
    ),
    "hold_of_case": (
        "案件 {case} 需要这段录像;结案后自动解除锁定。",
        "The case {case} needs this footage; it is let go when the case is closed.",
    ),
    "signature_unreadable": ("签名文件无法读取。", "The file of the signature cannot be read."),
}
