import { words } from './row'

/** What a line of a list says of its days, in either language, and what must be looked for first. */
export const dayWords = {
  working: ['working', 'workday', '工作日', '上班', '班'],
  saturday: ['saturday', '周六'],
  sunday: ['sunday', 'holiday', '节假日', '周日', '假', '休'],
} as const

export const days = words({
  'dayKind.working': ['working day', '工作日'],
  'dayKind.saturday': ['Saturday', '周六'],
  'dayKind.sunday': ['Sunday or holiday', '周日或节假日'],
  'days.title': ['Holidays', '节假日'],
  'days.hint': ['Click a day: a working day becomes a holiday, a day at the weekend is worked. What is usual on roads, and tolls, go by it.', '点击日期：工作日变为节假日，周末变为上班日。道路常态和通行费均以此为准。'],
  'days.year': ['Year {year}', '{year} 年'],
  'days.before': ['Year before', '上一年'],
  'days.after': ['Year after', '下一年'],
  'days.of': ['{day}: {kind}', '{day}：{kind}'],
  'days.list': ['Special days of {year}', '{year} 年特殊日期'],
  'days.none': ['No special day in this year.', '该年没有特殊日期。'],
  'days.import': ['Import a list', '导入列表'],
  'days.importHint': ['One line for a day or for days in a row: 2026-10-01 2026-10-07 holiday, 2026-10-10 working.', '每行一天或连续多天：2026-10-01 2026-10-07 休，2026-10-10 班。'],
  'days.take': ['Take over', '导入'],
  'days.unread': ['Not understood: line {lines}', '无法识别：第 {lines} 行'],
  'days.unsaved': ['{n} days, not saved yet', '共 {n} 天，尚未保存'],
  'days.kept': ['{n} days', '共 {n} 天'],
})
