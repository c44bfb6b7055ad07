// Reads the clock strip of strip.py from a <video> or canvas in a browser; the geometry is described there.
window.readStrip = (() => {
  const canvas = document.createElement('canvas')
  canvas.width = 640
  canvas.height = 360
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const crc8 = (bytes) => {
    let crc = 0xa5
    for (const byte of bytes) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff
    }
    return crc
  }
  return (source) => {
    const { width, height } = canvas
    const top = Math.floor((height * 28) / 30)
    // Only the strip is drawn and read back: the rest of the picture tells nothing here.
    const sourceHeight = source.videoHeight || source.height
    const sourceWidth = source.videoWidth || source.width
    if (!sourceWidth) return null
    context.drawImage(source, 0, (sourceHeight * 28) / 30, sourceWidth, (sourceHeight * 2) / 30, 0, top, width, height - top)
    const data = context.getImageData(0, top, width, height - top).data
    const rows = height - top
    const bits = []
    for (let row = 0; row < 2; row += 1) {
      for (let column = 0; column < 32; column += 1) {
        let sum = 0
        let count = 0
        for (let y = Math.round((rows * (row + 0.3)) / 2); y < Math.round((rows * (row + 0.7)) / 2); y += 1) {
          for (let x = Math.round((width * (column + 0.25)) / 32); x < Math.round((width * (column + 0.75)) / 32); x += 1) {
            const at = (y * width + x) * 4
            sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]
            count += 1
          }
        }
        const mean = sum / count
        if (mean > 90 && mean < 165) return null
        bits.push(mean > 128 ? 1 : 0)
      }
    }
    const bytes = []
    for (let index = 0; index < 64; index += 8) bytes.push(bits.slice(index, index + 8).reduce((value, bit) => value * 2 + bit, 0))
    if (crc8(bytes.slice(0, 7)) !== bytes[7]) return null
    return { ms: bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0), channel: bytes[6] }
  }
})()
