// What this browser can show.

type Source = typeof MediaSource

declare global {
  interface Window {
    ManagedMediaSource?: Source
  }
}

/** MediaSource, or the one Safari on phones has instead. */
export function mediaSource(): Source | null {
  return window.MediaSource ?? window.ManagedMediaSource ?? null
}

/** Whether this browser decodes `mime`. */
export function canShow(mime: string): boolean {
  return mediaSource()?.isTypeSupported(mime) ?? false
}

let h265: boolean | null = null

/** Whether H.265 plays here at all; asked once, the answer does not change while the page lives. */
export function canShowH265(): boolean {
  h265 ??= canShow('video/mp4; codecs="hvc1.1.6.L93.B0"') || canShow('video/mp4; codecs="hev1.1.6.L93.B0"')
  return h265
}

/** Bytes of sound that an element decoded, where the browser tells. */
export function soundDecoded(element: HTMLMediaElement): number {
  return (element as HTMLMediaElement & { webkitAudioDecodedByteCount?: number }).webkitAudioDecodedByteCount ?? 0
}

/** As people write it. */
export function codecName(codec: string): string {
  return { h264: 'H.264', h265: 'H.265', mpeg4: 'MPEG-4' }[codec] ?? codec.toUpperCase()
}
