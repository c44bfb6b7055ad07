import { useEffect, useState } from 'react'
import { type Carried, type Fix, onDuty, take } from './shift'

export interface Known {
  fix: Fix | null
  trouble: '' | 'denied' | 'insecure'
}

/** Where the phone is, as long as its officer is on duty and no longer. */
export function usePlace(shift: Carried): Known {
  const [known, setKnown] = useState<Known>({ fix: null, trouble: '' })
  const wanted = onDuty(shift)
  useEffect(() => {
    if (!wanted) {
      setKnown({ fix: null, trouble: '' })
      return undefined
    }
    if (!window.isSecureContext || !('geolocation' in navigator)) {
      setKnown({ fix: null, trouble: 'insecure' })
      return undefined
    }
    const watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => {
        const fix = { longitude: coords.longitude, latitude: coords.latitude, at: timestamp, speed: coords.speed, heading: coords.heading }
        setKnown({ fix, trouble: '' })
        take(fix)
      },
      (error) => setKnown((now) => ({ ...now, trouble: error.code === error.PERMISSION_DENIED ? 'denied' : '' })),
      { enableHighAccuracy: true, maximumAge: 5_000 },
    )
    return () => navigator.geolocation.clearWatch(watch)
  }, [wanted])
  return known
}
