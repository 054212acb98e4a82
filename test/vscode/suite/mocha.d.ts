/** Mocha's build for browsers, which bundles and runs in a worker as well as in Node; it defines the global `Mocha`. */
declare module "mocha/mocha.js";
