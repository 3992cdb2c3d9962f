// Tests are TypeScript, compiled by scripts/test.mjs to .cache/test: Node 20 does not strip types.
export default {
  files: ['.cache/test/*.test.js'],
  // Two cores, and a test that rebuilds uses both.
  concurrency: 2,
  timeout: '5m',
}
