import { t } from '../words'

/** A speed out of our own pictures, with twice its standard uncertainty: 19 of 20 lie within. Never without it. */
export const aboutSpeed = (kmh: number, uncertainty: number) => t('speed.about', { n: Math.round(kmh), off: Math.max(1, Math.ceil(2 * uncertainty)) })
