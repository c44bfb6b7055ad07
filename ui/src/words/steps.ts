import { words } from './row'

// The step of a stream that failed, in words: what happened and what to do (codes of media, drivers and player).
export const steps = words({
  'step.unknown': ['Failed at step “{code}”', '失败步骤：{code}'],
  'step.no_frame': ['The stream is open, but no new picture comes.', '码流已打开，但没有新画面。'],
  'step.media_unreachable': ['The media port does not answer. Check that this computer reaches it.', '媒体端口无响应。请检查本机到该端口的网络。'],
  'step.unreachable': ['The platform does not answer.', '平台无响应。'],
  'step.unavailable': ['The stream cannot be served now.', '暂时无法提供码流。'],
  'step.silence': ['The connection fell silent.', '连接无数据。'],
  'step.codec_unsupported': [
    'This browser cannot decode {codec}. Set the sub stream of the camera to H.264, or use a browser with H.265.',
    '此浏览器无法解码 {codec}。请将摄像机子码流设为 H.264，或使用支持 H.265 的浏览器。',
  ],
  'step.recorded_codec_unsupported': [
    'This browser cannot decode {codec}. Use a browser with {codec}, or export a viewing copy.',
    '此浏览器无法解码 {codec}。请使用支持 {codec} 的浏览器，或导出观看副本。',
  ],
  'step.device_codec_unsupported': [
    'This browser cannot decode {codec}. Use a browser with {codec}, or fetch the stretch as a file.',
    '此浏览器无法解码 {codec}。请使用支持 {codec} 的浏览器，或将该时段下载为文件。',
  ],
  'step.fetch_too_large': ['The file has become as large as a browser can hold. Fetch the rest from where it ends.', '文件已达到浏览器的上限，请从结束处继续下载其余部分。'],
  'step.no_media_source': ['This browser cannot play live video (no Media Source).', '此浏览器不支持实时播放（缺少 Media Source）。'],
  'step.not_decodable': ['The picture data is damaged; starting anew.', '画面数据损坏，正在重新打开。'],
})
