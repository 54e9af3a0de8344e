import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { warningFilter } from './svelte.config.js';

// Names without hashes: what is committed differs only where it differs. The daemon puts a hash of
// everything into the addresses.
const names = {
  entryFileNames: 'assets/[name].js',
  chunkFileNames: 'assets/[name].js',
  assetFileNames: 'assets/[name][extname]',
};

export default defineConfig({
  base: './',
  plugins: [
    svelte({
      preprocess: vitePreprocess({ script: false }),
      // Nodes are made one by one: no text of ours becomes markup either.
      compilerOptions: { fragments: 'tree', runes: true, warningFilter },
    }),
  ],
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
    outDir: '../anyond/http/board/site',
    emptyOutDir: true,
    rolldownOptions: { output: names },
  },
  worker: { format: 'es', rolldownOptions: { output: { entryFileNames: 'assets/[name].js' } } },
});
