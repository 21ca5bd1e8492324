import type { JobRecord } from '../../../shared/src/job.ts';
import type { Eventual } from '../../../shared/src/telemetry.ts';
import type { Access } from '../ops/access.ts';
import type { Metrics } from '../telemetry/prometheus.ts';
import type { StatusSource } from '../telemetry/status.ts';

/** What the JSON routes read. */
export interface ApiDeps {
  status: StatusSource;
  metrics: Metrics;
  access: Access;
  /** Jobs of all processes. */
  jobs: {
    newId(): string;
    find(id: string): Eventual<JobRecord | undefined>;
  };
}
