import type { MethodName } from "../settings/learning.ts";
import type { Method } from "../training/method.ts";

/** What a method does, from the folder of its name. The tests load every one. */
export async function loadMethod(name: MethodName): Promise<Method> {
  const { method } = (await import(`./${name}/method.ts`)) as { readonly method: Method };
  return method;
}
