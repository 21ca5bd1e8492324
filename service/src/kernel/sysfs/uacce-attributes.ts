import { DUS_BYTES, MMIO_BYTES } from '../../hw-abi/dus.ts';
import { REQUEST_TYPE } from '../../hw-abi/zip-sqe.ts';
import type { ParentDevice } from '../mdev/parent-device.ts';
import type { IsolationStrategy } from '../uacce/isolation.ts';
import type { UacceNode } from '../uacce/uacce-node.ts';
import { attribute, directory, link, type SysfsDirectory } from './node.ts';

/** Algorithms of the engine, one a line, as far as the hardware has them (sources.md 4.2). */
const ALGORITHMS = ['zlib', 'gzip', 'deflate'] as const;

/** `/sys/class/uacce/<dev>` (Linux Documentation/ABI/testing/sysfs-driver-uacce). */
export function uacceDirectory(
  parts: { parent: ParentDevice; uacce: UacceNode; isolation: IsolationStrategy },
  parentPath: string,
): SysfsDirectory {
  const { parent, uacce, isolation } = parts;
  return directory({
    api: attribute(() => uacce.api),
    flags: attribute(() => uacce.flags),
    available_instances: attribute(() => parent.queuesFree),
    algorithms: attribute(() =>
      ALGORITHMS.filter((name) => parent.variant.requestTypes.includes(REQUEST_TYPE[name])).join('\n'),
    ),
    region_mmio_size: attribute(() => MMIO_BYTES),
    region_dus_size: attribute(() => DUS_BYTES),
    isolate: attribute(() => (isolation.isIsolated ? 1 : 0)),
    isolate_strategy: {
      kind: 'file',
      mode: 0o644,
      read: () => `${isolation.strategy}\n`,
      write: (text) => isolation.setStrategy(text),
    },
    device: link(() => parentPath),
  });
}
