import { words } from './row'

export const alarms = words({
  'alarm.open': ['Raised', '未确认'],
  'alarm.all': ['All', '全部'],
  'alarm.priority': ['Priority', '级别'],
  'alarm.priority.1': ['Priority 1', '一级'],
  'alarm.priority.2': ['Priority 2', '二级'],
  'alarm.priority.3': ['Priority 3', '三级'],
  'alarm.priority.4': ['Priority 4', '四级'],
  'alarm.kind': ['Alarm', '报警'],
  'alarm.picture': ['Picture', '图片'],
  'alarm.description': ['Words of the device', '设备描述'],
  'alarm.acknowledge': ['Acknowledge', '确认'],
  'alarm.acknowledgeAll': ['Acknowledge all shown', '全部确认'],
  'alarm.acknowledged': ['Acknowledged', '已确认'],
  'alarm.by': ['by {name}', '由 {name}'],
  'alarm.state.raised': ['raised', '未确认'],
  'alarm.state.acknowledged': ['acknowledged', '已确认'],
  'alarm.state.cleared': ['cleared', '已恢复'],
  'alarm.none': ['No alarms', '无报警'],
  'alarm.begin': ['Alarms that devices send appear here with the picture of that moment.', '设备上报的报警及当时画面将显示在此。'],
  'alarm.playback': ['Play the moment', '回放报警时刻'],
})
