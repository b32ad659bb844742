import { element } from "./drawing.js";
import { PANELS } from "./theatre.js";

PANELS.scatter = (host) => ({ update(panel) { host.replaceChildren(element("pre", "", panel.kind)); }, paint() {} });
