// The nonce that the server put into the page, for what writes styles at run time.

export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
}

/**
 * Some parts of Ant Design (scroll locks, measuring of scroll bars) write <style> without asking for a nonce, and the
 * policy would refuse them. Style elements made by this page's own scripts, which all carry the nonce already, get it here.
 */
export function markStyles(): void {
  const value = nonce()
  if (!value) return
  const create = document.createElement.bind(document)
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    const made = create(tag, options)
    if (tag === 'style') made.nonce = value
    return made
  }) as typeof document.createElement
}
