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
