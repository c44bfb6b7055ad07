// Reads the strip of simulated pictures in a browser; the geometry is that of strip.py beside this file.
// window.readStrip(video or canvas or image) -> { ms, channel } or null; of cameras that can be steered
// { ms, channel, pan, tilt, zoom }.
window.readStrip = (() => {
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const crc8 = (bytes) => {
    let crc = 0xa5
    for (const byte of bytes) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff
    }
    return crc
  }
  const readRow = (data, row) => {
    const bytes = []
    let byte = 0
    for (let column = 0; column < 32; column += 1) {
      let sum = 0
      for (let y = row * 8 + 2; y < row * 8 + 6; y += 1) {
        for (let x = column * 10 + 3; x < column * 10 + 7; x += 1) {
          const at = (y * 320 + x) * 4
          sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]
        }
      }
      const mean = sum / 16
      if (mean > 90 && mean < 165) return null
      byte = (byte << 1) | (mean > 128 ? 1 : 0)
      if (column % 8 === 7) {
        bytes.push(byte)
        byte = 0
      }
    }
    return bytes
  }
  const readLens = (bytes) => {
    if (!bytes || crc8(bytes.slice(0, 3)) !== bytes[3]) return {}
    const value = (bytes[0] << 16) | (bytes[1] << 8) | bytes[2]
    return { pan: (value >> 15) / 8 - 32, tilt: ((value >> 6) & 0x1ff) / 8 - 32, zoom: 2 ** ((value & 0x3f) / 20) }
  }
  return (source) => {
    const width = source.videoWidth || source.naturalWidth || source.width
    const height = source.videoHeight || source.naturalHeight || source.height
    if (!width || !height) return null
    // Only the strip: the lowest 1/10 of the picture, three rows of 32 cells.
    canvas.width = 320
    canvas.height = 24
    context.drawImage(source, 0, (height * 27) / 30, width, height / 10, 0, 0, 320, 24)
    const data = context.getImageData(0, 0, 320, 24).data
    const upper = readRow(data, 1)
    const lower = readRow(data, 2)
    if (!upper || !lower) return null
    const bytes = [...upper, ...lower]
    const ms = bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0)
    if (crc8(bytes.slice(0, 7)) !== bytes[7] || ms < 946684800000) return null
    return { ms, channel: bytes[6], ...readLens(readRow(data, 0)) }
  }
})()
