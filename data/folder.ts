// What lies in a folder of pictures.

import { UserError } from "./errors.ts";

/** A file under the data folder; `file` is its path from there, with forward slashes. */
export interface FoundFile {
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modified: number;
}

/**
 * Every file under a folder by its relative path. Hidden files and folders are passed over, and so are
 * links that lead nowhere, or back up to a folder that they lie in.
 */
export function scanFolder(root: string): Map<string, FoundFile> {
  const found = new Map<string, FoundFile>();
  const visit = (prefix: string, above: readonly string[]) => {
    const entries = readFolder(root, prefix);
    const folders = [...above, Deno.realPathSync(`${root}/${prefix}`)];
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const file = prefix + entry.name;
      const path = `${root}/${file}`;
      let info: Deno.FileInfo;
      try {
        info = Deno.statSync(path);
      } catch (error) {
        if (entry.isSymlink && isBrokenLink(error)) continue;
        throw error;
      }
      if (info.isDirectory && !folders.includes(Deno.realPathSync(path))) {
        visit(file + "/", folders);
      }
      if (info.isFile) {
        found.set(file, { file, path, bytes: info.size, modified: info.mtime?.getTime() ?? 0 });
      }
    }
  };
  visit("", []);
  return found;
}

function isBrokenLink(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop;
}

/** Whether a name ends as those of PNG and JPEG pictures do. */
export function isPictureName(file: string): boolean {
  return /\.(png|jpe?g)$/i.test(file);
}

function readFolder(root: string, prefix: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(`${root}/${prefix}`)];
  } catch (error) {
    const folder = prefix === "" ? root : `${root}/${prefix}`;
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`Data folder ${folder} does not exist`);
    }
    if (error instanceof Deno.errors.NotADirectory) {
      throw new UserError(`Data folder ${folder} is a file, not a folder of pictures`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(`Data folder ${folder} cannot be read: permission denied`);
    }
    throw error;
  }
}
