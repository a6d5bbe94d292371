/** CRC-32C (Castagnoli, RFC 3720 appendix B.4); node:zlib has CRC-32 only, which is another polynomial. */

/** The polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** What eight zero bits do to a remainder, for each value of its lowest byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/** @returns an unsigned 32-bit number */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ TABLE[(remainder ^ byte) & 0xff];
  return (remainder ^ 0xffffffff) >>> 0;
}
