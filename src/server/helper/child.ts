import { RESULTS_FILE } from "../../benchmark/files.ts";
import { renderBench } from "../../benchmark/results/page.ts";
import { readRows } from "../../benchmark/results/results.ts";
import { readBenchView } from "../../benchmark/results/view.ts";
import { withPicture } from "../../images/open.ts";
import { companionsOfDemo, readAssets, readReport } from "../../report/read.ts";
import { renderReport } from "../../report/render.ts";
import { insideOf } from "../../system/inside.ts";
import { drawPairs, exportKohya } from "./draw.ts";
import { estimateOf } from "./estimate.ts";
import { cutOf, listOf } from "./photos.ts";
import type { Answer, Asked, Errand, Results } from "./messages.ts";
import { saidBy } from "../../system/said-by.ts";

/** The process of `host.ts`. */

async function perform(errand: Errand): Promise<Results[Errand["kind"]]> {
  switch (errand.kind) {
    case "thumbnail":
      return thumbnail(errand.file, errand.side);
    case "report": {
      const view = await readReport(errand.run, { companions: await companionsOfDemo(errand.run), now: new Date() });
      return renderReport(view, await readAssets());
    }
    case "bench-report":
      return benchReport(errand.bench);
    case "photos":
      return listOf(errand.folder, errand);
    case "cut":
      return cutOf(errand.file, errand);
    case "draw":
      return drawPairs(errand.run, errand);
    case "kohya":
      return exportKohya(errand.run, errand.output);
    case "estimate":
      return estimateOf(errand.settings);
  }
}

async function benchReport(bench: string): Promise<string> {
  const path = insideOf(bench, RESULTS_FILE);
  const { rows } = path === undefined ? { rows: [] } : await readRows(path);
  return renderBench(await readBenchView(bench, rows, { now: new Date() }), (await readAssets()).style);
}

function thumbnail(file: string, side: number): Promise<Buffer> {
  return withPicture(file, ({ source }) =>
    source
      .autoOrient()
      .resize({ width: side, height: side, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "white" })
      .webp({ quality: 84 })
      .toBuffer(),
  );
}

process.on("message", ({ id, errand }: Asked) => {
  const send = (answer: Answer): void => void process.send?.(answer);
  void perform(errand).then(
    (result) => send({ id, result }),
    (error: unknown) => send({ id, error: saidBy(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
