import { join } from "node:path";
import { loadBertTokenizer } from "../../text/bert.ts";
import { loadClipTokenizer } from "../../text/clip.ts";
import { openAlbum, type Album } from "../judges/albums.ts";
import { alignCourse } from "../judges/align.ts";
import { writeCard } from "../card.ts";
import { ALIGN_CARD, CLIP_CARD, DINO_CARD } from "../judges/cards.ts";
import { clipCourse } from "../judges/clip.ts";
import { dinoCourse } from "../judges/dino.ts";
import { examineAlign, examineClip, examineDino } from "../judges/exams.ts";
import { writeAlignFolder, writeClipFolder, writeDinoFolder } from "../judges/folders.ts";
import { ALIGN_CONFIG, ALIGN_RECIPE, CLIP_CONFIG, CLIP_RECIPE, DINO_RECIPE } from "../judges/recipes.ts";
import { measureStatistics } from "../judges/statistics.ts";
import { bertVocabulary, writeBertTokenizer } from "../judges/vocabulary.ts";
import { specialIds, worldBytePairs, writeClipTokenizer } from "../tokenizer.ts";
import { averageOf, course, pictures, picturesIn, stepsOf, train, type Stage, type StageContext } from "./stage.ts";

/** Training the judges and writing them: the reward's `align` and the metrics' `clip` and `dino`. */
export const judgeStages = {
  align: async (context) => {
    const folder = join(context.work, "align-tokenizer");
    await writeBertTokenizer(folder, bertVocabulary(), ALIGN_CONFIG.text_config.max_position_embeddings);
    const align = alignCourse({
      pictures: await pictures(context, "align", ALIGN_RECIPE.pictures),
      album: await albumOf(context, "align-album", ALIGN_RECIPE),
      tokenizer: await loadBertTokenizer(folder),
      ...stepsOf(context),
    });
    return train(context, align);
  },
  "export-align": async (context) => {
    const folder = join(context.models, "align");
    const { weights } = await averageOf(context, "align");
    const album = await albumOf(context, "align-album", ALIGN_RECIPE);
    const statistics = await measureStatistics(weights, album.pictures, context.session);
    await writeAlignFolder(folder, new Map([...weights, ...statistics]), bertVocabulary());
    const figures = await examineAlign(folder, context.session);
    await writeCard(folder, {
      ...ALIGN_CARD,
      weights,
      figures,
      courses: [course(context, "align", ["caption", "instance"])],
    });
    return true;
  },
  clip: async (context) => {
    const folder = join(context.work, "clip-tokenizer");
    const bytePairs = worldBytePairs();
    await writeClipTokenizer(folder, bytePairs, CLIP_CONFIG.text_config.max_position_embeddings);
    const clip = clipCourse({
      pictures: await pictures(context, "clip", CLIP_RECIPE.pictures),
      tokenizer: await loadClipTokenizer(folder),
      special: specialIds(bytePairs),
      ...stepsOf(context),
    });
    return train(context, clip);
  },
  "export-clip": async (context) => {
    const folder = join(context.models, "clip");
    const { weights } = await averageOf(context, "clip");
    await writeClipFolder(folder, weights, worldBytePairs());
    const figures = await examineClip(folder, context.session);
    await writeCard(folder, { ...CLIP_CARD, weights, figures, courses: [course(context, "clip", ["loss"])] });
    return true;
  },
  dino: async (context) =>
    train(context, dinoCourse({ album: await albumOf(context, "dino", DINO_RECIPE), ...stepsOf(context) })),
  "export-dino": async (context) => {
    const folder = join(context.models, "dino");
    const { weights } = await averageOf(context, "dino");
    await writeDinoFolder(folder, weights);
    const figures = await examineDino(folder, context.session);
    await writeCard(folder, { ...DINO_CARD, weights, figures, courses: [course(context, "dino", ["loss"])] });
    return true;
  },
} satisfies Record<string, Stage>;

async function albumOf(
  context: StageContext,
  name: string,
  { instances, views }: { readonly instances: number; readonly views: number },
): Promise<Album> {
  return openAlbum({ ...picturesIn(context), name, instances, views });
}
