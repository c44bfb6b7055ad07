import { saveBlob } from '../parts/save'
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
