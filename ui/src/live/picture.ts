import { stamp } from '../parts/times'

/** What the eye sees, as a file. */
export function saveSnapshot(video: HTMLVideoElement, name: string, wall: number): void {
  if (video.videoWidth === 0) return
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d')?.drawImage(video, 0, 0)
  canvas.toBlob((blob) => {
    if (blob) saveBlob(blob, `${name} ${stamp(wall || Date.now() * 1000).replaceAll(':', '-')}.png`)
  }, 'image/png')
}

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name.replace(/[/\\?%*:|"<>]/g, '_')
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
