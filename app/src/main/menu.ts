import type { MenuItemConstructorOptions } from 'electron';

interface MenuDeps {
  isMac: boolean;
  /** Presses a key in the page: the page has every action under one. */
  press(keyCode: string): void;
  openDocs(): void;
}

/** What the page calls by a key, as menu items; the page's own key handler does the work. */
const PAGE_ITEMS: readonly { label: string; key: string }[] = [
  { label: 'Pause', key: 'Space' },
  { label: 'Export…', key: 'E' },
  { label: 'Services…', key: 'S' },
  { label: 'Admin token…', key: 'A' },
  { label: 'Theme', key: 'T' },
  { label: 'Connect again now', key: 'R' },
];
const VIEW_LABELS = ['Overview', 'Queues', 'IOMMU and faults', 'Charts', 'Against zlib', 'mdevs', 'Alarms'];

/** The menu bar. No item opens developer tools or another page. */
export function menuTemplate({ isMac, press, openDocs }: MenuDeps): MenuItemConstructorOptions[] {
  const key = (label: string, keyCode: string): MenuItemConstructorOptions => ({
    label,
    accelerator: keyCode,
    registerAccelerator: false, // shown only: the page handles the key, unless someone is typing
    click: () => press(keyCode),
  });
  return [
    ...(isMac ? [{ role: 'appMenu' as const }] : []),
    {
      label: 'Monitor',
      submenu: [
        ...PAGE_ITEMS.map(({ label, key: code }) => key(label, code)),
        { type: 'separator' },
        isMac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        ...VIEW_LABELS.map((label, index) => key(label, String(index + 1))),
        key('All', '0'),
        { type: 'separator' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'resetZoom' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [key('Keys', '?'), { label: 'Documentation', click: openDocs }] },
  ];
}
