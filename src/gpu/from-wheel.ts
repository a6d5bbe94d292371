import { licencesOf, wantedOf, type FoundFile, type FoundPackage } from "./found.ts";
import type { Package } from "./packages.ts";
import { unpack } from "./unpack.ts";
import type { Member, Wheel } from "./wheel.ts";

/** What a wheel has of a package. @throws ModelError when a file that is wanted is not in it */
export function fromWheel(wheel: Wheel, wanted: Package): FoundPackage {
  const { bytes, metadata, members } = wheel;
  const filesOf = (member: Member & Pick<FoundFile, "name" | "role">): FoundFile => ({
    ...member,
    bytes: member.packedBytes,
    put: (target, options) => unpack(wheel, member, target, options),
  });
  return {
    ...metadata,
    from: bytes.from,
    files: wantedOf(wanted, members, bytes.filename).map(filesOf),
    licences: licencesOf(members).map((member) => filesOf({ ...member, name: member.path, role: "beside" })),
    close: () => bytes.close(),
  };
}
