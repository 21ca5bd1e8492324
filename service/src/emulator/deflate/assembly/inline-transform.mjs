/**
 * Compiler transform for asc: a function below a `// @inline` line is compiled into its callers. AssemblyScript's own
 * spelling is a decorator on a function, which is no TypeScript, so neither the formatter nor editors would read it.
 */
import { Node, NodeKind } from 'assemblyscript';
import { Transform } from 'assemblyscript/transform';

const MARK = /\/\/ @inline\s+(export\s+)?$/;

export class InlineTransform extends Transform {
  afterParse(parser) {
    for (const source of parser.sources) {
      if (source.internalPath.startsWith('~lib')) continue;
      for (const statement of source.statements) {
        if (statement.kind !== NodeKind.FunctionDeclaration) continue;
        const { range } = statement;
        if (!MARK.test(source.text.slice(0, range.start))) continue;
        const name = Node.createIdentifierExpression('inline', range);
        statement.decorators = [...(statement.decorators ?? []), Node.createDecorator(name, null, range)];
      }
    }
  }
}

// asc takes the default export, and no other.
export { InlineTransform as default };
