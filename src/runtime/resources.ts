/**
 * Sessions hold memory that no garbage collector sees, so whatever opens some releases them on every path. Two shapes of scope do so:
 * {@link withResources} for work that ends, {@link assemble} for a thing that is handed on.
 */

export interface Resource {
  release(): Promise<void>;
}

/** Makes a resource the scope's, and gives it back. */
export type Own = <R extends Resource>(resource: R) => R;

/**
 * Does work with resources, and releases them when it ends or fails, the last first.
 *
 * @example
 * const features = await withResources(async (own) => own(await createImageEncoder(part, session)).images(images));
 */
export async function withResources<T>(work: (own: Own) => Promise<T>): Promise<T> {
  const { result, release } = await assemble(async (own, release) => ({ result: await work(own), release }));
  await release();
  return result;
}

/**
 * Opens a thing that is made of resources: should that fail midway, those that are open already are released, otherwise the thing's
 * owner does so with the `release` that it was given.
 *
 * @example
 * assemble(async (own, release) => {
 *   const graph = own(await compile(outputs, options));
 *   const optimizer = own(await createAdamW(weights, session));
 *   return { step: () => ..., release };
 * });
 */
export async function assemble<T extends Resource>(open: (own: Own, release: () => Promise<void>) => Promise<T>) {
  const { own, release } = createScope();
  try {
    return await open(own, release);
  } catch (error) {
    await release().catch(() => undefined); // the first error is the one to report
    throw error;
  }
}

function createScope(): { readonly own: Own; readonly release: () => Promise<void> } {
  const owned: Resource[] = [];
  return {
    own(resource) {
      owned.push(resource);
      return resource;
    },
    /** One that cannot be released does not keep the others; a second call does nothing. */
    async release() {
      const failures: unknown[] = [];
      for (let last = owned.pop(); last !== undefined; last = owned.pop())
        try {
          await last.release();
        } catch (error) {
          failures.push(error);
        }
      if (failures.length > 0) throw failures[0];
    },
  };
}
