/** The pages of the page: which panels are in sight together. `all` is every panel, one under the other. */
export const VIEWS = [
  { id: 'overview', key: '1', label: 'Overview' },
  { id: 'queues', key: '2', label: 'Queues' },
  { id: 'iommu', key: '3', label: 'IOMMU and faults' },
  { id: 'charts', key: '4', label: 'Charts' },
  { id: 'compare', key: '5', label: 'Against zlib' },
  { id: 'mdevs', key: '6', label: 'mdevs' },
  { id: 'alarms', key: '7', label: 'Alarms' },
  { id: 'all', key: '0', label: 'All' },
] as const;
export type View = (typeof VIEWS)[number]['id'];

export const isView = (text: string | null): text is View => VIEWS.some(({ id }) => id === text);
