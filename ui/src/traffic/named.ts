import { maybe } from '../words'

/** Name and source of a road network: the demo city's in the reader's language, any other's as they are. */
export const named = (text: string): string => maybe(`traffic.demo.${text.replaceAll(' ', '_')}`) ?? text
