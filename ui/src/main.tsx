import '@ant-design/v5-patch-for-react-19'
import './look/base.css'
import './look/shell.css'
import './look/wall.css'
import './look/ptz.css'
import './look/playback.css'
import './look/table.css'
import './look/traffic.css'
import './look/fleet.css'
import './look/duty.css'
import './look/cases.css'
import './look/phone.css'
import { createRoot } from 'react-dom/client'
import { App } from './app/app'
import { applyLook } from './look/theme'
import { language } from './words'
import { markStyles } from './look/nonce'

markStyles()
applyLook()
document.documentElement.lang = language()
createRoot(document.getElementById('root')!).render(<App />)
