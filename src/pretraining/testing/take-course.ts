import { runCourse, type Course } from "../loop.ts";

/** Takes a course in a test's folder, until it is done or `stopAt` steps are taken. */
export function takeCourse(course: Course, folder: string, stopAt = Infinity) {
  let step = 0;
  return runCourse(course, {
    folder,
    session: { threads: 2 },
    onLog: () => undefined,
    shouldStop: () => step++ >= stopAt,
  });
}

/** The losses of a course that sees its first batch again and again, at a high rate, step by step. */
export async function lossesOnOneBatch(course: Course, folder: string): Promise<number[]> {
  const losses: number[] = [];
  const same: Course = {
    ...course,
    rate: { peak: 3e-3, warmup: 1, decay: 0 },
    feeds: () => course.feeds(1),
    observe: ({ loss }) => losses.push(loss.data[0]),
  };
  await takeCourse(same, folder);
  return losses;
}
