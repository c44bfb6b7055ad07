import { Arrow, Box, middle, Name, place, type Point, Sketch } from '../parts/sketch'
import { t } from '../words'
import { COLOURS, type Scene } from './drawing'

/** The picture of now, with the scene that is drawn on it. */
export function Canvas({ channel, scene, points, closed, onPoint, onFinish }: { channel: string; scene: Scene; points: readonly Point[]; closed: boolean; onPoint: (point: Point) => void; onFinish: () => void }) {
  return (
    <Sketch channel={channel} points={points} closed={closed} onPoint={onPoint} onFinish={onFinish}>
      {scene.lanes.map((lane) => <g key={`l${lane.number}`}><polygon className="lane" points={place(lane.area)} /><Arrow area={lane.area} heading={lane.heading} /><Name at={middle(lane.area)} name={`${lane.number}`} /></g>)}
      {scene.exits.map((exit, at) => <g key={`e${at}`}><polygon className="exit" points={place(exit.area)} /><Name at={middle(exit.area)} name={t(`scene.turn.${exit.turn}`)} /></g>)}
      {scene.zones.map((zone, at) => <g key={`z${at}`}><polygon className="zone" points={place(zone.area)} /><Name at={middle(zone.area)} name={zone.name} /></g>)}
      {scene.calibration && <g><polygon className="measure" points={place(scene.calibration.corners)} /><Name at={middle(scene.calibration.corners)} name={scene.calibration.width_m && scene.calibration.length_m ? `${scene.calibration.width_m} × ${scene.calibration.length_m} m` : t('scene.tool.measure')} /></g>}
      {scene.stop_lines.map((line, at) => <polyline key={`s${at}`} className="stop" points={place(line)} />)}
      {scene.solid_lines.map((line, at) => <polyline key={`o${at}`} className="solid" points={place(line)} />)}
      {scene.lamps.flatMap((lamp) => COLOURS.map((colour) => {
        const region = lamp[colour]
        return region ? <Box key={`${lamp.signal}${colour}`} className="lamp" region={region} /> : null
      }))}
    </Sketch>
  )
}
