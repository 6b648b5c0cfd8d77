// @ts-check
/** Makes a photo so small that lexoffice takes it, upright and still legible. */

import { LARGEST } from "./accepted.js";

/** Pixels of the longer edge: 300 dots an inch on A4, then less. */
const EDGES = [3508, 2800, 2200, 1700];
const QUALITY = 0.85;

/**
 * @param {Blob} photo
 * @returns {Promise<Blob | undefined>} a JPEG; undefined where this browser cannot make one
 */
export async function shrunk(photo) {
  if (!keepsColours()) return undefined;
  const picture = await createImageBitmap(photo, { imageOrientation: "from-image" }).catch(() => undefined);
  if (!picture) return undefined;
  try {
    for (const edge of EDGES) {
      const smaller = await drawn(picture, Math.min(1, edge / Math.max(picture.width, picture.height)));
      if (smaller && smaller.size <= LARGEST) return smaller;
    }
    return undefined;
  } finally {
    picture.close();
  }
}

/**
 * @param {ImageBitmap} picture
 * @param {number} scale
 * @returns {Promise<Blob | null>}
 */
function drawn(picture, scale) {
  const { canvas, pen } = surface(Math.round(picture.width * scale), Math.round(picture.height * scale));
  pen.fillStyle = "#fff"; // what a PNG leaves transparent would be black in a JPEG
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/** Some browsers hand out noise in place of what was drawn, against fingerprinting: a receipt would be lost. */
function keepsColours() {
  const { pen } = surface(1, 1);
  pen.fillStyle = "rgb(20 120 220)";
  pen.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = pen.getImageData(0, 0, 1, 1).data;
  return Math.abs(red - 20) + Math.abs(green - 120) + Math.abs(blue - 220) < 12;
}

/** @param {number} width @param {number} height */
function surface(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas to draw on");
  return { canvas, pen };
}
