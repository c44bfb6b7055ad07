import { words } from './row'

export const playback = words({
  'keys.play': ['Play, pause', '播放、暂停'],
  'keys.speed': ['Back, pause, forward; again: faster', '倒放、暂停、播放；重复按加速'],
  'keys.frame': ['Frame back, forward', '上一帧、下一帧'],
  'keys.range': ['Start, end of the range', '区间起点、终点'],
  'keys.skip': ['10 s back, forward', '后退、前进 10 秒'],
  'keys.export': ['Export the range', '导出区间'],
  'keys.move': ['Choose', '选择'],
  'keys.acknowledge': ['Acknowledge', '确认'],
})
