/** What {@linkcode cacheFolder} looks at. */
export interface Environment {
  readonly os: typeof Deno.build.os;
  readonly variables: (name: string) => string | undefined;
}

const HERE: Environment = { os: Deno.build.os, variables: (name) => Deno.env.get(name) };

/** Where kao keeps this user's caches, by the system's custom; undefined where the environment does not tell. */
export function cacheFolder({ os, variables }: Environment = HERE): string | undefined {
  const folder = os === "windows"
    ? variables("LOCALAPPDATA")
    : variables("XDG_CACHE_HOME") || below(variables("HOME"), os);
  return folder ? `${folder}/kao` : undefined;
}

function below(home: string | undefined, os: Environment["os"]): string | undefined {
  return home && `${home}/${os === "darwin" ? "Library/Caches" : ".cache"}`;
}
