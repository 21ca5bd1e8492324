import { type Command, InvalidArgumentError, Option } from 'commander';
import type { MdevSnapshot, MdevTypeSnapshot } from '../../../shared/src/telemetry.ts';
import { EXIT_HELP } from './exit.ts';
import { type CallFlags, callService, DEFAULT_URL } from './service-call.ts';
import { tableText } from './text.ts';

interface CreateFlags extends CallFlags {
  uuid?: string;
  dmaPool?: number;
  priorityClass?: number;
}

const show = (flags: CallFlags, body: object, text: () => string): void =>
  void process.stdout.write(flags.json ? `${JSON.stringify(body, null, 2)}\n` : text());

/** `warpdrive mdev list|types|create|remove`. */
export function addMdev(program: Command): void {
  const mdev = program
    .command('mdev')
    .summary('list, create and remove mediated devices')
    .description('Mediated devices of a running service. Creating and removing need the admin token.')
    .addHelpText(
      'after',
      `\nExamples:\n  $ warpdrive mdev list\n  $ warpdrive mdev create hisi_zip-zip\n  $ warpdrive mdev remove UUID\n${EXIT_HELP}`,
    );

  common(mdev.command('list'))
    .description('List the mdevs.')
    .action(async (flags: CallFlags) => {
      const body = await callService<{ mdevs: MdevSnapshot[] }>(flags, '/v1/mdevs');
      show(flags, body, () =>
        tableText(
          ['UUID', 'TYPE', 'STATE', 'QUEUE', 'GROUP', 'POLICY', 'DOMAIN', 'CLASS'],
          body.mdevs.map((one) => [
            one.uuid,
            one.type,
            one.state,
            one.qpId < 0 ? '–' : String(one.qpId),
            String(one.iommuGroup ?? '–'),
            one.policy ?? '–',
            one.domain ?? '–',
            String(one.priorityClass ?? '–'),
          ]),
        ),
      );
    });

  common(mdev.command('types'))
    .description('List the types that devices offer.')
    .action(async (flags: CallFlags) => {
      const body = await callService<{ types: MdevTypeSnapshot[] }>(flags, '/v1/mdevs/types');
      show(flags, body, () =>
        tableText(
          ['TYPE', 'PARENT', 'AVAILABLE', 'POLICY', 'DOMAIN', 'NAME'],
          body.types.map(({ id, parent, availableInstances, policy, domain, name }) => [
            id,
            parent,
            availableInstances,
            policy,
            domain,
            name,
          ]),
        ),
      );
    });

  common(mdev.command('create'))
    .description('Create an mdev of a type; its queue and memory are assigned now or when it is opened.')
    .argument('<type>', 'as "warpdrive mdev types" lists it')
    .option('--uuid <UUID>', 'its name; made up if absent')
    .option('--dma-pool <BYTES>', 'DMA memory to reserve', wholeNumber)
    .option('--priority-class <0-15>', 'highest queue priority that its user may ask for', wholeNumber)
    .action(async (type: string, flags: CreateFlags) => {
      const { uuid, dmaPool: dmaPoolBytes, priorityClass } = flags;
      const made = await callService<MdevSnapshot>(flags, '/v1/mdevs', {
        method: 'POST',
        asAdmin: true,
        body: { type, uuid, dmaPoolBytes, priorityClass },
      });
      show(flags, made, () => `${made.uuid}\n`);
    });

  common(mdev.command('remove'))
    .description('Remove an mdev that nobody has open.')
    .argument('<uuid>')
    .action(async (uuid: string, flags: CallFlags) => {
      await callService(flags, `/v1/mdevs/${encodeURIComponent(uuid)}`, { method: 'DELETE', asAdmin: true });
    });
}

function wholeNumber(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError('not a whole number.');
  return value;
}

function serviceUrl(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('It must be a URL that begins with http:// or https://.');
}

/** The options that every command has that talks to a service. */
export function common(command: Command): Command {
  return command
    .addOption(
      new Option('--url <URL>', 'address of the service')
        .argParser(serviceUrl)
        .default(DEFAULT_URL, DEFAULT_URL)
        .env('WARPDRIVE_URL'),
    )
    .addOption(new Option('--admin-token <TOKEN>', 'the admin token').env('WARPDRIVE_ADMIN_TOKEN'))
    .option('--json', 'print the JSON of the service');
}
