// Loaded before every test file: the same environment as the command line's.

import { prepareEnvironment } from "../cli/environment.ts";

prepareEnvironment();
