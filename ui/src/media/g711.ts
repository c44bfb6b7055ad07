// ITU-T G.711: one byte per sample to a float in -1..1.

function aLaw(byte: number): number {
  const value = byte ^ 0x55
  const exponent = (value >> 4) & 7
  const mantissa = ((value & 15) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return (value & 0x80 ? magnitude : -magnitude) / 32768
}

function muLaw(byte: number): number {
  const value = ~byte & 0xff
  const magnitude = ((((value & 15) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84
  return (value & 0x80 ? -magnitude : magnitude) / 32768
}

const A_TABLE = Float32Array.from({ length: 256 }, (_, byte) => aLaw(byte))
const MU_TABLE = Float32Array.from({ length: 256 }, (_, byte) => muLaw(byte))

/** Samples of `bytes` by `codec` (`pcma` or `pcmu`). */
export function decodeG711(bytes: Uint8Array, codec: string): Float32Array<ArrayBuffer> {
  const table = codec === 'pcmu' ? MU_TABLE : A_TABLE
  const samples = new Float32Array(bytes.length)
  for (let index = 0; index < bytes.length; index += 1) samples[index] = table[bytes[index]!]!
  return samples
}
