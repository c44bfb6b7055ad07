export function PlacesPage({ what }: { what: 'areas' | 'organisations' }) {
  return <>{what}</>
}
