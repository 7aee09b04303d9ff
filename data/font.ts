// A small font for headings: capitals, digits and some signs, five pixels wide and seven high.

/** Pixels from the left of a character to its right. */
export const GLYPH_WIDTH = 5;
/** Pixels from the top of a character to its bottom. */
export const GLYPH_HEIGHT = 7;

// deno-fmt-ignore
/** Seven rows a character from the top; each is a digit to base 32 whose five bits are pixels. */
const GLYPHS: Readonly<Record<string, string>> = {
  "A": "ehhvhhh", "B": "uhhuhhu", "C": "ehggghe", "D": "uhhhhhu", "E": "vgguggv", "F": "vgguggg",
  "G": "ehgnhhf", "H": "hhhvhhh", "I": "e44444e", "J": "72222ic", "K": "hikokih", "L": "ggggggv",
  "M": "hrllhhh", "N": "hhpljhh", "O": "ehhhhhe", "P": "uhhuggg", "Q": "ehhhlid", "R": "uhhukih",
  "S": "fgge11u", "T": "v444444", "U": "hhhhhhe", "V": "hhhhha4", "W": "hhhllla", "X": "hha4ahh",
  "Y": "hha4444", "Z": "v1248gv", "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he",
  "4": "26aiv22", "5": "vgu11he", "6": "68guhhe", "7": "v124888", "8": "ehhehhe", "9": "ehhf12c",
  "-": "000e000", "_": "000000v", ".": "00000cc", ":": "0cc0cc0", "/": "01248g0", "+": "044v440",
  "=": "00v0v00", "?": "eh12404", "%": "op248j3", "(": "2488842", ")": "8422248", " ": "0000000",
};
const UNKNOWN = "vhhhhhv";

/**
 * Writes text in dark grey on interleaved RGB bytes, in capitals; unknown characters become boxes.
 * What does not fit into the picture is cut.
 */
export function paintText(
  target: { rgb: Uint8Array; width: number; height: number },
  options: { text: string; left: number; top: number },
): void {
  const { rgb, width, height } = target;
  [...options.text.toUpperCase()].forEach((character, i) => {
    const glyph = GLYPHS[character] ?? UNKNOWN;
    for (let row = 0; row < GLYPH_HEIGHT; row++) {
      const bits = parseInt(glyph[row], 32);
      for (let column = 0; column < GLYPH_WIDTH; column++) {
        const x = options.left + i * (GLYPH_WIDTH + 1) + column;
        const y = options.top + row;
        const lit = bits >> (GLYPH_WIDTH - 1 - column) & 1;
        if (lit && x < width && y < height) {
          rgb.fill(60, 3 * (y * width + x), 3 * (y * width + x) + 3);
        }
      }
    }
  });
}
