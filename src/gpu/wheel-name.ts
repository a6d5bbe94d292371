import { parseVersion, type Version } from "./versions.ts";

/** What a wheel's file name says of it (PEP 427): nvidia_cublas-13.10.0.20-py3-none-win_amd64.whl */
export interface WheelName {
  /** Of the package, as {@link normalName} writes it. */
  readonly name: string;
  readonly versionText: string;
  readonly version: Version;
  readonly platforms: readonly string[];
}

/** A package's name as indexes have it (PEP 503): NVIDIA_cublas and nvidia.cublas are nvidia-cublas. */
export function normalName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/** @returns undefined for what is no wheel's name, or not of a released version */
export function parseWheelName(file: string): WheelName | undefined {
  const [, name, versionText, platforms] =
    /^([\w.]{1,100})-([\w.!+]{1,100})(?:-\d\w{0,50})?-[\w.]{1,100}-[\w.]{1,100}-([\w.]{1,200})\.whl$/.exec(file) ?? [];
  const version = versionText === undefined ? undefined : parseVersion(versionText);
  if (name === undefined || versionText === undefined || platforms === undefined || version === undefined)
    return undefined;
  return { name: normalName(name), versionText, version, platforms: platforms.split(".") };
}
