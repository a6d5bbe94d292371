/** What a file that is often taken for safetensors is, by its first eight bytes. */
export function otherKind(start: Uint8Array): string | undefined {
  const text = Buffer.from(start).toString("latin1");
  if (text === "version ") return "this is a Git LFS pointer; the weights were not downloaded (run `git lfs pull`)";
  // the length of a header, which has less than 2^24 bytes, may begin as any of what follows
  if (start.subarray(3).every((byte) => byte === 0)) return undefined;
  if (text.startsWith("GGUF"))
    return "this is a GGUF file, which is for other programs; give the safetensors file that it was made of";
  if (/^(?:\x89PNG|\xff\xd8\xff|RIFF)/.test(text)) return "this is a picture, and no safetensors file";
  // torch.save: a zip archive since PyTorch 1.6, a bare pickle before
  if (text.startsWith("PK\x03\x04") || /^\x80[\x02-\x05]/.test(text))
    return "this is a pickle file, which can run code and is never read; convert it to safetensors, if you trust its author";
  if (/^(?:\u00ef\u00bb\u00bf)?\s*<[!?a-z][^\0]*$/i.test(text))
    return "this is a web page, and no safetensors file; the download needs another address (on the hub one with /resolve/ in it, not /blob/), or a login";
  if (/^[\t\n\r -~]{8}$/.test(text))
    return `this is a text that begins with ${JSON.stringify(text)}, and no safetensors file; look into it: servers send such instead of a file that they refuse`;
  return undefined;
}

/** Whether a file is a safetensors file by its first nine bytes, whatever it is called: a header's length, of less than 2^32, and the header. */
export function beginsAsSafetensors(start: Uint8Array): boolean {
  return start.length >= 9 && start.subarray(4, 8).every((byte) => byte === 0) && start[8] === "{".charCodeAt(0);
}
