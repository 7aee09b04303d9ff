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

/** Every file under a folder by its relative path; hidden files and folders are passed over. */
export function scanFolder(root: string): Map<string, FoundFile> {
  const found = new Map<string, FoundFile>();
  const visit = (prefix: string) => {
    for (const entry of readFolder(root, prefix)) {
      if (entry.name.startsWith(".")) continue;
      const file = prefix + entry.name;
      const path = `${root}/${file}`;
      let info: Deno.FileInfo;
      try {
        info = Deno.statSync(path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) continue; // A link to nothing.
        throw error;
      }
      // A link to a folder could lead back up; pictures may be links, folders may not.
      if (info.isDirectory && !entry.isSymlink) visit(file + "/");
      if (info.isFile) {
        found.set(file, { file, path, bytes: info.size, modified: info.mtime?.getTime() ?? 0 });
      }
    }
  };
  visit("");
  return found;
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
