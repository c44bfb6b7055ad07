// Ant Design in the colours of the room: greys carry structure, hue means state.

import { theme, type ThemeConfig } from 'antd'
import { Store } from '../parts/store'

export const look = new Store<{ name: 'dark' | 'light' }>({ name: 'dark' }, 'safecity.look')

export function applyLook(): void {
  document.documentElement.dataset['look'] = look.get().name
}

const FONT = "'Inter Variable', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', 'WenQuanYi Zen Hei', sans-serif"

const DARK = {
  colorPrimary: '#66737f', colorInfo: '#6cb2ff', colorError: '#ff6b6b', colorWarning: '#ffa24d', colorSuccess: '#58c584',
  colorBgBase: '#171b1f', colorBgContainer: '#171b1f', colorBgElevated: '#1f242a', colorBgLayout: '#111417',
  colorText: '#d9dee4', colorTextSecondary: '#a3acb6', colorTextTertiary: '#8b95a0', colorTextDescription: '#a3acb6',
  colorTextPlaceholder: '#8b95a0', colorBorder: '#48515b', colorBorderSecondary: '#2b3138', colorLink: '#d9dee4',
  colorLinkHover: '#ffffff', controlOutline: 'rgba(232, 236, 241, 0.25)',
}

const LIGHT = {
  colorPrimary: '#4b5864', colorInfo: '#0b62c4', colorError: '#c62828', colorWarning: '#a85500', colorSuccess: '#1d7a45',
  colorBgLayout: '#f2f4f6', colorText: '#1b2026', colorTextSecondary: '#4b5560', colorTextTertiary: '#626d78', colorTextDescription: '#4b5560',
  colorTextPlaceholder: '#626d78', colorBorder: '#9aa4ae', colorBorderSecondary: '#d5dae0', colorLink: '#1b2026', colorLinkHover: '#000000',
}

export function antTheme(name: 'dark' | 'light'): ThemeConfig {
  const dark = name === 'dark'
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      ...(dark ? DARK : LIGHT),
      fontFamily: FONT, fontSize: 13, borderRadius: 3, controlHeight: 28, controlHeightSM: 22, controlHeightLG: 36, fontSizeLG: 14, motion: false, wireframe: false,
      boxShadow: '0 8px 30px rgba(0,0,0,.45)', boxShadowSecondary: '0 4px 16px rgba(0,0,0,.4)',
    },
    components: {
      Table: { cellPaddingBlock: 3, cellPaddingInline: 8, headerBg: dark ? '#1f242a' : '#e7eaee', rowHoverBg: dark ? '#272d34' : '#e7eaee' },
      Form: { itemMarginBottom: 14, verticalLabelPadding: '0 0 4px' },
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none' },
      Tabs: { inkBarColor: dark ? '#e8ecf1' : '#1b2026', itemSelectedColor: dark ? '#ffffff' : '#000000', itemHoverColor: dark ? '#ffffff' : '#000000' },
    },
  }
}
