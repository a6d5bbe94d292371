import { css, type Colour } from "./colour.ts";

/**
 * SVG fragments as strings.
 *
 * Every colour is written as `fill="#rrggbb"` or `stroke="#rrggbb"`, so that {@link inOneInk} can turn a picture into its silhouette.
 */

/** A number with two decimals: a hundredth of a pixel is below what antialiasing shows, and short strings parse faster. */
function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Path data with its numbers rounded: d`M${x} ${y}h${width}z`. */
export function d(strings: TemplateStringsArray, ...values: readonly number[]): string {
  return strings.reduce((text, part, i) => text + round(values[i - 1]) + part);
}

/** Path data of an ellipse. */
export function ellipse(x: number, y: number, rx: number, ry = rx): string {
  return d`M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`;
}

/** Path data of a rectangle with rounded corners. */
export function box(x: number, y: number, width: number, height: number, radius = 0): string {
  const r = Math.min(radius, width / 2, height / 2);
  if (r === 0) return d`M${x} ${y}h${width}v${height}h${-width}z`;
  const w = width - 2 * r;
  const h = height - 2 * r;
  return d`M${x + r} ${y}h${w}a${r} ${r} 0 0 1 ${r} ${r}v${h}a${r} ${r} 0 0 1 ${-r} ${r}h${-w}a${r} ${r} 0 0 1 ${-r} ${-r}v${-h}a${r} ${r} 0 0 1 ${r} ${-r}z`;
}

/** Path data of a closed polygon. */
export function polygon(points: readonly (readonly [number, number])[]): string {
  return `M${points.map(([x, y]) => d`${x} ${y}`).join("L")}z`;
}

/** A filled path. */
export function fill(data: string, colour: Colour, opacity = 1): string {
  return `<path d="${data}" fill="${css(colour)}"${opacity < 1 ? ` fill-opacity="${round(opacity)}"` : ""}/>`;
}

/** A line along a path, with round ends. */
export function stroke(data: string, colour: Colour, width: number, opacity = 1): string {
  const alpha = opacity < 1 ? ` stroke-opacity="${round(opacity)}"` : "";
  return `<path d="${data}" fill="none" stroke="${css(colour)}" stroke-width="${round(width)}" stroke-linecap="round" stroke-linejoin="round"${alpha}/>`;
}

/** `content` moved to (x, y), turned by `angle` degrees clockwise and scaled, in that order from outside to inside. */
export function placed(content: string, x: number, y: number, angle: number, scaleX = 1, scaleY = scaleX): string {
  // scales are small numbers: four digits, not two
  const scale = scaleX === 1 && scaleY === 1 ? "" : ` scale(${scaleX.toFixed(4)} ${scaleY.toFixed(4)})`;
  return `<g transform="translate(${round(x)} ${round(y)}) rotate(${round(angle)})${scale}">${content}</g>`;
}

/** `content` where it lies inside the path; `id` must be unique in the document. */
export function clipped(id: string, data: string, content: string): string {
  if (content === "") return "";
  return `<clipPath id="${id}"><path d="${data}"/></clipPath><g clip-path="url(#${id})">${content}</g>`;
}

/** A vertical gradient of two or three colours over the whole frame's width, from y to y + height. */
export function gradient(id: string, y: number, height: number, ...colours: readonly Colour[]): string {
  const stops = colours.map(
    (colour, i) => `<stop offset="${round(i / Math.max(1, colours.length - 1))}" stop-color="${css(colour)}"/>`,
  );
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stops.join("")}</linearGradient><path d="${box(-1, y, 66, height)}" fill="url(#${id})"/>`;
}

/** The same shapes with all colours replaced by one; opacities stay, so that coverage stays. */
export function inOneInk(svg: string, ink: Colour): string {
  return svg.replace(/(fill|stroke)="#[0-9a-f]{6}"/g, `$1="${css(ink)}"`);
}

/** Light on a round surface: gradients that all subjects of a document share. In a mask they have its white at the same opacities. */
export function lightGradients(light: Colour, dark: Colour): string {
  const stops = `<stop offset="0" stop-color="${css(light)}" stop-opacity=".3"/><stop offset=".45" stop-color="${css(light)}" stop-opacity="0"/><stop offset=".5" stop-color="${css(dark)}" stop-opacity="0"/><stop offset="1" stop-color="${css(dark)}" stop-opacity=".25"/>`;
  return `<defs><linearGradient id="lit-left" x1="0" y1="0" x2="1" y2=".55">${stops}</linearGradient><linearGradient id="lit-right" x1="1" y1="0" x2="0" y2=".55">${stops}</linearGradient></defs>`;
}
