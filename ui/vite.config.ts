import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// The server replaces the placeholder by the nonce of each answer (docs/design/contracts.md).
export default defineConfig(({ command }) => ({
  plugins: [react()],
  html: command === 'build' ? { cspNonce: '__CSP_NONCE__' } : {},
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1400,
    reportCompressedSize: false,
    manifest: 'manifest.json',
    rollupOptions: {
      output: {
        manualChunks: (id) => {
          if (/node_modules\/(react|react-dom|react-router|scheduler|@tanstack)\//.test(id)) return 'base'
          if (id.includes('node_modules/pinyin-pro')) return 'pinyin'
          return undefined
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy: { '/api': { target: process.env['SAFECITY_DEV_API'] ?? 'http://127.0.0.1:8099', ws: true } },
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], pool: 'threads', poolOptions: { threads: { maxThreads: 1 } } },
}))
