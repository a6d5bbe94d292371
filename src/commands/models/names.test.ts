import { expect, test } from "vitest";
import { hubNameOf } from "./names.ts";

test.each([
  [
    "https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5",
    "of huggingface.co write stable-diffusion-v1-5/stable-diffusion-v1-5",
  ],
  ["https://huggingface.co/owner/name/tree/main", "of huggingface.co write owner/name"],
  [
    "https://huggingface.co/owner/name/resolve/main/model.safetensors?download=true",
    "write owner/name, or download the file",
  ],
  ["http://hf-mirror.example/owner/name?library=diffusers", "of hf-mirror.example write owner/name,"],
])("an address that was pasted for a name, %s, is answered with the name", async (address, answer) => {
  const looking = hubNameOf("model", address);
  await expect(looking).rejects.toThrow(`model ${address}: expected a name on the hub, not an address`);
  await expect(looking).rejects.toThrow(answer);
});

test("a name is one, and a path is none", async () => {
  expect(await hubNameOf("model", "owner/name@main")).toMatchObject({ repo: "owner/name", revision: "main" });
  expect(await hubNameOf("model", "tiny")).toBeUndefined();
  expect(await hubNameOf("model", ".")).toBeUndefined();
});

test("a checkpoint's file that is not there is no name on the hub", async () => {
  await expect(hubNameOf("model", "models/dog.safetensors")).rejects.toThrow(
    "model models/dog.safetensors: no such file (expected a diffusers folder or a .safetensors file, or owner/name on the hub)",
  );
});
