/**
 * How often a JPEG goes over its pixels: a progressive one refines them scan by scan, and each takes the time of all pixels, be it some bytes
 * long. Encoders make 3 to 20, mozjpeg's at most 64 (ITU-T T.81, B.1.1 and B.2).
 */
export function countScans(bytes: Buffer): number {
  let scans = 0;
  for (let at = 2; ;) {
    // markers are 0xff and a code; in a scan's data 0xff is followed by 0, or by the code of a restart
    at = bytes.indexOf(0xff, at);
    if (at === -1) return scans;
    while (bytes.at(at) === 0xff) at++;
    const code = bytes.at(at++);
    if (code === undefined || code === END) return scans;
    if (code === 0 || code === 1 || (code >= 0xd0 && code <= 0xd7)) continue;
    if (code === SCAN) scans++;
    if (at + 2 > bytes.length) return scans;
    at += bytes.readUInt16BE(at);
  }
}

const SCAN = 0xda;
const END = 0xd9;
