// In a program of your own this is `import { openIndex } from 'cutover'`.
export { openIndex } from '../../dist/index.js'
