import type { AppBridge } from '../../contract/ipc.ts';
import type { ExportFile } from './files.ts';

export type SaveFile = (file: ExportFile) => Promise<'saved' | 'cancelled'>;

/** Through the save dialog: the app's own, or that of the browser's downloads. */
export const saver =
  (app: AppBridge | undefined): SaveFile =>
  async (file) => {
    if (app !== undefined) return app.saveExport(file.name, file.bytes);
    const url = URL.createObjectURL(new Blob([file.bytes], { type: file.type }));
    const link = document.createElement('a');
    link.href = url;
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return 'saved';
  };
